# $1 is how many versions are there now: 1 after a first installation, 2 in an upgrade.
systemd-sysusers renewd.conf
systemd-tmpfiles --create renewd.conf || :
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
fi
if [ "$1" = 1 ] && [ ! -e /var/lib/renewd/renewd.db ]; then
    cat /usr/share/renewd/next-steps
elif [ -d /run/systemd/system ] && ! systemctl --quiet is-active renewd.service && ! systemctl --quiet is-active renewd-once.timer; then
    echo "renewd is not running, and nothing is renewed until it does: sudo systemctl enable --now renewd"
fi
