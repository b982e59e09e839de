#!/bin/bash
# Runs a libvirtd of our own that sees nothing of the host's configuration, and keeps it and virtlogd running.
#
#   libvirt-keeper.sh enter DIR DATA_DIR   in a new mount namespace: lays DIR over libvirt's folders, then becomes a
#                                          reaper (tini) around `keep`
#   libvirt-keeper.sh keep DIR             starts the daemons again whenever they end. SIGUSR2 ends libvirtd and keeps
#                                          the rest for the VMs, SIGUSR1 wants it back, SIGTERM ends all but the VMs.
#
# A QEMU belongs to whoever reaps it once libvirtd has forked it: libvirtd waits for that, so the reaper must act at once
# and must outlive libvirtd, as QEMU does.
set -u

enter() {
  set -e
  local dir=$1 data_dir=$2 resolver blocked='' path='' part
  resolver=$(readlink -f /etc/resolv.conf || true)
  cd /

  # The host's own name must resolve without asking anybody, or every create and restore waits for DNS.
  if ! getent -s files hosts "$(uname -n)" >/dev/null; then
    { cat /etc/hosts; printf '127.0.1.1 %s\n' "$(uname -n)"; } >"$dir/hosts"
    mount --bind "$dir/hosts" /etc/hosts
  fi
  # QEMU answers its guests' DNS questions from resolv.conf, which may lie in the /run that is about to be covered.
  if [[ $resolver == /run/* ]]; then
    mkdir -p "$dir${resolver%/*}"
    mount --bind "${resolver%/*}" "$dir${resolver%/*}"
  fi
  mount --bind "$dir/lib" /var/lib/libvirt
  mount --bind "$dir/etc" /etc/libvirt
  mount --bind "$dir/log" /var/log/libvirt
  mount --bind "$dir/cache" /var/cache/libvirt
  mount --rbind "$dir/run" /run

  # QEMU may run as a user of its own, who cannot pass a closed folder such as /root. What lies between is covered by an
  # empty open one, so that every path in the data directory is the same inside and outside.
  path=''
  while IFS= read -r -d / part; do
    [[ -n $part ]] || continue
    path+="/$part"
    if (($(stat -c 0%a "$path") % 2 == 0)); then
      blocked=$path
      break
    fi
  done <<<"$data_dir/"
  if [[ -n $blocked && $blocked != "$data_dir" ]]; then
    mkdir -p /run/data
    mount --rbind "$data_dir" /run/data
    mount -t tmpfs -o mode=0755,size=64k none "$blocked"
    mkdir -p "$data_dir"
    mount --rbind /run/data "$data_dir"
    umount -l /run/data
  fi
  exec tini -s -- setpriv --pdeathsig KILL bash "$dir/keeper.sh" keep "$dir"
}

keep() {
  local dir=$1 wanted=1 libvirtd='' virtlogd=''
  trap 'wanted=1' USR1
  trap 'wanted=; kill ${libvirtd:-} 2>/dev/null' USR2
  trap 'kill ${libvirtd:-} 2>/dev/null; wait ${libvirtd:-}; kill ${virtlogd:-} 2>/dev/null; exit' TERM
  echo $$ >"$dir/keeper.pid"
  while :; do
    if [[ -z $virtlogd ]] || ! kill -0 "$virtlogd" 2>/dev/null; then
      setpriv --pdeathsig KILL virtlogd --pid-file "$dir/virtlogd.pid" &
      virtlogd=$!
    fi
    if [[ -n $wanted ]] && { [[ -z $libvirtd ]] || ! kill -0 "$libvirtd" 2>/dev/null; }; then
      setpriv --pdeathsig TERM libvirtd --pid-file "$dir/libvirtd.pid" &
      libvirtd=$!
    fi
    wait -n
    sleep 0.3
  done
}

"$@"
