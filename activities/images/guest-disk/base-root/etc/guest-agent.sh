#!/bin/sh
# Speaks as much of QEMU's guest agent protocol as a cloudlet needs to give a guest that was saved, or waited paused, the
# right time and an identity of its own. A guest with the real agent (Debian: qemu-guest-agent) needs this not.
# A phone waits for every process that it starts, and an emulated guest takes ten milliseconds for one: it starts few.
for port in /sys/class/virtio-ports/*; do
  [ -e "$port/name" ] && read -r name <"$port/name" && [ "$name" = org.qemu.guest_agent.0 ] && device=/dev/${port##*/}
done
[ -n "$device" ] || exec sleep 2147483647

# Makes the number, or the string, of that name in the line of JSON that was read the $value.
number() { value=${line#*\"$1\":}; value=${value# }; value=${value%%[!0-9]*}; }
text() { value=${line#*\"$1\":}; value=${value#*\"}; value=${value%%\"*}; }

# date knows whole seconds only: the rest is waited for, and set again then, when nobody waits for this agent any more.
set_time() {
  seconds=${1%?????????}
  nanoseconds=${1#"$seconds"}
  date -u -s "@$seconds" >/dev/null
  correction="$((2000000 - 1${nanoseconds%???})) $((seconds + 1))"
}
correct_time() { { usleep "$1"; date -u -s "@$2"; } >/dev/null 3>&- & }

exec 3<>"$device"
pause=10000
while :; do
  # Nothing is to be read while nobody listens on the host: for a moment after a restore, and while it has no libvirt.
  read -r line <&3 || { usleep $pause; [ $pause -gt 1000000 ] || pause=$((pause * 2)); continue; }
  pause=10000
  case $line in
    *'"guest-sync"'*) number id; answer="{\"return\":$value}" ;;
    *'"guest-sync-delimited"'*) number id; printf '\377' >&3; answer="{\"return\":$value}" ;;
    *'"guest-set-time"'*) number time; set_time "$value"; answer='{"return":{}}' ;;
    *'"guest-exec-status"'*) answer='{"return":{"exited":true,"exitcode":0}}' ;;
    *'"guest-exec"'*'"/etc/cloudlet/refresh"'*)
      text input-data; bytes=$value; text arg
      if [ -x /etc/cloudlet/refresh ]; then
        printf %s "$bytes" | base64 -d | /etc/cloudlet/refresh "$value" 3>&-
      else
        # All that the clones of a sample guest must not share; the random bytes are as random in base64.
        printf %s "$bytes" >/dev/urandom
        /etc/cloudlet/reseed
        echo "$value" >/run/machine-id
      fi
      answer='{"return":{"pid":1}}' ;;
    *) answer='{"error":{"class":"CommandNotFound","desc":"This guest has a small agent"}}' ;;
  esac
  printf '%s\n' "$answer" >&3
  [ -z "$correction" ] || correct_time $correction
  correction=
done
