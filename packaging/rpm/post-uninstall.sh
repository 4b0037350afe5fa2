# 1: an upgrade. What ran runs on, as the new version, on the same database. 0: removed; the database stays, it is in no package.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" = 1 ]; then
        systemctl try-restart renewd.service renewd-once.timer || :
    fi
fi
if [ "$1" = 0 ] && [ -e /var/lib/renewd/renewd.db ]; then
    echo "Kept /var/lib/renewd, the record of every order. To delete it: rm -r /var/lib/renewd"
fi
