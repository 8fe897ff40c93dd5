# A container engine for tests: sh fake-engine.sh STATE SUBCOMMAND... Containers are directories below STATE/containers
# and a process that sleeps. What it is told in STATE/mood ("<how> <subcommand, or number of the call>") goes wrong.
# Each call is noted in STATE/calls, with what the door and the tenant's directory were at that moment.
state=$1
shift
verb=$1
[ "$verb" = container ] && verb=inspect
echo "$verb door=$(cat "$state/door" 2>/dev/null) data=$(cat "$state/node/tenancy" 2>/dev/null):$(ls "$state/node/tenant" 2>/dev/null | tr '\n' ' ')" >> "$state/calls"
number=$(wc -l < "$state/calls")
printf '%s\n' "$@" > "$state/last-$verb"
[ -r "$state/mood" ] && read -r how which < "$state/mood"

goes_wrong() {
    [ "$how" = "$1" ] && { [ "$which" = "$verb" ] || [ "$which" = "$number" ]; }
}
hang() {
    touch "$state/hanging"
    sleep 600
}
runs() {
    # A process that has ended and that nobody has waited for has no command line.
    [ -r "$1/pid" ] && grep -q sleep "/proc/$(cat "$1/pid")/cmdline" 2>/dev/null
}
find_container() {
    for one in "$state/containers"/*; do
        if [ "$(basename "$one")" = "$1" ] || [ "$(cat "$one/name" 2>/dev/null)" = "$1" ]; then
            echo "$one"
            return 0
        fi
    done
    echo "Error: no such container $1" >&2
    return 1
}

goes_wrong before && hang
goes_wrong flood && exec head -c 3000000 /dev/zero
goes_wrong garbage && { echo '{"Id": ["of nothing"'; exit 0; }
goes_wrong fail && { echo "Error: told to fail" >&2; exit 125; }

case $verb in
create)
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --name) name=$2 ;;
        --label) case $2 in org.surety.agent=*) agent=${2#*=} ;; org.surety.rental=*) rental=${2#*=} ;; esac ;;
        --mount) source=${2#type=bind,src=} source=${source%%,*} ;;
        esac
        shift
    done
    if find_container "$name" >/dev/null 2>&1; then
        echo "Error: the name $name is in use" >&2
        exit 125
    fi
    [ -d "$source" ] || { echo "Error: statfs $source: no such directory" >&2; exit 125; }
    id=$(printf '%s %s' "$name" "$$" | sha256sum | cut -c 1-64)
    mkdir -p "$state/making/$id" "$state/containers"
    echo "$name" > "$state/making/$id/name"
    echo "$agent" > "$state/making/$id/agent"
    echo "$rental" > "$state/making/$id/rental"
    echo "$source" > "$state/making/$id/source"
    mv "$state/making/$id" "$state/containers/$id"
    echo "$id"
    ;;
start)
    one=$(find_container "$2") || exit 125
    if ! runs "$one"; then
        sleep 1000000 </dev/null >/dev/null 2>&1 &
        echo $! > "$one/pid"
    fi
    goes_wrong die && kill -9 "$(cat "$one/pid")"
    echo "$2"
    ;;
ps)
    for word in "$@"; do agent=${word#label=org.surety.agent=}; done
    for one in "$state/containers"/*; do
        [ "$(cat "$one/agent" 2>/dev/null)" = "$agent" ] && basename "$one"
    done
    goes_wrong vanish && rm -rf "$state/containers"
    :
    ;;
inspect)
    shift 2
    comma=
    text=
    for id in "$@"; do
        one=$(find_container "$id") || { echo '[]'; exit 125; }
        if runs "$one"; then up='"Status":"running","Running":true,"Pid":'$(cat "$one/pid")
        else up='"Status":"exited","Running":false,"Pid":0'
        fi
        labels='{"org.surety.agent":"'$(cat "$one/agent")'","org.surety.rental":"'$(cat "$one/rental")'"}'
        text="$text$comma{\"Id\":\"$(basename "$one")\",\"State\":{$up},\"Config\":{\"Labels\":$labels},\"New\":1}"
        comma=,
    done
    echo "[$text]"
    ;;
rm)
    for id in "$@"; do :; done
    if one=$(find_container "$id" 2>/dev/null); then
        [ -r "$one/pid" ] && kill -9 "$(cat "$one/pid")" 2>/dev/null
        rm -rf "$one"
    fi
    :
    ;;
exec)
    shift
    environment=IN_CONTAINER=yes
    while [ "${1#-}" != "$1" ]; do
        case $1 in
        --interactive | --tty) ;;
        --env) environment="$environment $2" && shift ;;
        *) shift ;;
        esac
        shift
    done
    one=$(find_container "$1") || exit 125
    runs "$one" || { echo "Error: container $1 is not running" >&2; exit 126; }
    shift
    cd "$(cat "$one/source")" || exit 126
    # The values hold no blanks. shellcheck disable=SC2086
    exec env -i PATH="$PATH" $environment "$@"
    ;;
info)
    cat "$state/info"
    ;;
image)
    cat "$state/image"
    ;;
*)
    echo "Error: unknown command $1" >&2
    exit 125
    ;;
esac
goes_wrong after && hang
exit 0
