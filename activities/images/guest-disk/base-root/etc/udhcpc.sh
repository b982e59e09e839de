#!/bin/sh
# Called by udhcpc with what the network's DHCP server granted.
if [ "$1" != bound ]; then
  [ "$1" != leasefail ] || echo "cloudlet: $interface got no address" >/dev/console
  exit 0
fi
ip addr add "$ip/${mask:-24}" dev "$interface"
[ -z "$router" ] || ip route add default via "${router%% *}"
for server in $dns; do echo "nameserver $server"; done >/run/resolv.conf
echo "cloudlet: $interface is $ip" >/dev/console
