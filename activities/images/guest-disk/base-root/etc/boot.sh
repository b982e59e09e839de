#!/bin/sh
# Runs once at boot, before the services of /etc/inittab.
mount -t tmpfs -o mode=0755,size=10% run /run
mount -t tmpfs -o mode=1777,size=40% tmp /tmp
tr -d - </proc/sys/kernel/random/uuid >/run/machine-id
hostname -F /etc/hostname
# Connections that had just ended when a guest was saved would meet those of a client of its clones, whose SYN then waits 6 s.
echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets
ip link set lo up
for device in /sys/class/net/eth*; do
  interface=${device##*/}
  ip link set "$interface" up
  udhcpc -i "$interface" -n -q -t 3 -T 1 -s /etc/udhcpc.sh >/dev/null 2>&1 &
done
wait
read -r uptime _ </proc/uptime
echo "cloudlet: guest $(hostname) is up $uptime s after its kernel started"
