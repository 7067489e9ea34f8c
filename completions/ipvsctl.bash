# bash completion for ipvsctl, made by: ipvsctl completions bash
_ipvsctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words='' files='' value='' first=''
  COMPREPLY=()
  [ "$COMP_CWORD" != 1 ] || first=1
  if [ "$COMP_CWORD" = 1 ] && [[ $cur != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'list apply diff check completions drain export metrics top' -- "$cur")
    return 0
  fi
  case $verb in
  top)
    words='--once -i --interval -s --sort --services'
    case $prev in
    -i|--interval) words=''; value=1;;
    -s|--sort) words='name active inactive connections packets bytes'; value=1;;
    esac
    ;;
  metrics)
    words='-o --output'
    case $prev in
    -o|--output) words=''; value=1;;
    esac
    ;;
  export)
    words='-f --format'; files=1
    case $prev in
    -f|--format) words='keepalived rules json'; value=1;;
    esac
    ;;
  drain)
    words='-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server --timeout --remove --skip-inactive --undo'
    case $prev in
    -t|--tcp-service) words=''; value=1;;
    -u|--udp-service) words=''; value=1;;
    --sctp-service) words=''; value=1;;
    -f|--fwmark-service) words=''; value=1;;
    -r|--real-server) words=''; value=1;;
    --timeout) words=''; value=1;;
    esac
    ;;
  completions)
    words='bash zsh fish'
    ;;
  check)
    words='-i --config-id --format --strict --no-host'; files=1
    case $prev in
    -i|--config-id) words=''; value=1;;
    --format) words='text json'; value=1;;
    esac
    ;;
  diff)
    words='-i --config-id --prune --allow-empty'; files=1
    case $prev in
    -i|--config-id) words=''; value=1;;
    esac
    ;;
  apply)
    words='-i --config-id --prune --allow-empty --dry-run --rollback'; files=1
    case $prev in
    -i|--config-id) words=''; value=1;;
    esac
    ;;
  list)
    words='--json'
    ;;
  *)
    words='-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -s --scheduler -p --persistent -M --netmask --pe -o --ops -b --sched-flags -r --real-server -m --masquerading -g --gatewaying -i --ipip -w --weight -x --u-threshold -y --l-threshold --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum --mcast-interface --syncid --sync-maxlen --mcast-group --mcast-port --mcast-ttl -n --numeric -c --connection --timeout --daemon --stats --rate -X --exact --thresholds --persistent-conn --tun-info --nosort --sort'
    [ -z "$first" ] || words="-A --add-service -E --edit-service -D --delete-service -C --clear -L -l --list -a --add-server -e --edit-server -d --delete-server --set --start-daemon --stop-daemon -R --restore -S --save -Z --zero -h --help -v --version $words"
    case $prev in
    --start-daemon) words='master backup'; value=1;;
    --stop-daemon) words='master backup'; value=1;;
    -t|--tcp-service) words=''; value=1;;
    -u|--udp-service) words=''; value=1;;
    --sctp-service) words=''; value=1;;
    -f|--fwmark-service) words=''; value=1;;
    -s|--scheduler) words='rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos'; value=1;;
    -p|--persistent) words=''; value=1;;
    -M|--netmask) words=''; value=1;;
    --pe) words='sip'; value=1;;
    -b|--sched-flags) words='sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3'; value=1;;
    -r|--real-server) words=''; value=1;;
    -w|--weight) words=''; value=1;;
    -x|--u-threshold) words=''; value=1;;
    -y|--l-threshold) words=''; value=1;;
    --tun-type) words='ipip gue gre'; value=1;;
    --tun-port) words=''; value=1;;
    --mcast-interface) words=''; value=1;;
    --syncid) words=''; value=1;;
    --sync-maxlen) words=''; value=1;;
    --mcast-group) words=''; value=1;;
    --mcast-port) words=''; value=1;;
    --mcast-ttl) words=''; value=1;;
    esac
    ;;
  esac
  [ -z "$value" ] || [ -n "$words" ] || return 0
  [ -z "$value" ] || files=
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; [ -z "$files" ] || compgen -f -- "$cur")
}
complete -o filenames -F _ipvsctl ipvsctl
