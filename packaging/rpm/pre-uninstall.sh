# 0: removed, not upgraded.
if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then
    systemctl disable --now renewd.service renewd-once.timer || :
    systemctl stop renewd-once.service renewd-retry.timer || :
fi
