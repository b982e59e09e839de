#!/bin/sh
# Speaks as much of QEMU's guest agent protocol as a cloudlet needs to give a guest that was saved, or waited paused, the
# right time and an identity of its own. A guest with the real agent (Debian: qemu-guest-agent) needs this not.
for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name" 2>/dev/null)" = org.qemu.guest_agent.0 ] && device=/dev/${port##*/}
done
[ -n "$device" ] || exec sleep 2147483647

# The value of a number, or of a string, in the line of JSON that was read.
number() { rest=${line#*\"$1\":}; rest=${rest# }; echo "${rest%%[!0-9]*}"; }
text() { rest=${line#*\"$1\":}; rest=${rest#*\"}; echo "${rest%%\"*}"; }

# date knows whole seconds only: the rest is waited for, and set again then.
set_time() {
  seconds=${1%?????????}
  nanoseconds=${1#"$seconds"}
  date -u -s "@$seconds" >/dev/null
  { usleep $((2000000 - 1${nanoseconds%???})); date -u -s "@$((seconds + 1))"; } >/dev/null 3>&- &
}

exec 3<>"$device"
while :; do
  # Nothing is to be read while nobody listens on the host.
  read -r line <&3 || { sleep 0.1; continue; }
  case $line in
    *'"guest-sync"'*) answer="{\"return\":$(number id)}" ;;
    *'"guest-sync-delimited"'*) answer=$(printf '\377{"return":%s}' "$(number id)") ;;
    *'"guest-set-time"'*) set_time "$(number time)"; answer='{"return":{}}' ;;
    *'"guest-exec-status"'*) answer='{"return":{"exited":true,"exitcode":0}}' ;;
    *'"guest-exec"'*'"/etc/cloudlet/refresh"'*)
      text input-data | base64 -d | /etc/cloudlet/refresh "$(text arg)" 3>&-
      answer='{"return":{"pid":1}}' ;;
    *) answer='{"error":{"class":"CommandNotFound","desc":"This guest has a small agent"}}' ;;
  esac
  printf '%s\n' "$answer" >&3
done
