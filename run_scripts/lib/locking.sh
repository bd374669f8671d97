# shellcheck shell=bash
# Lock a data root, so only one run at a time uses it: `.lock` is held by the scripts of a run, `.working` by what works.

# claim_directory DIRECTORY: create the directory (an absolute path) if missing, and lock it until this process and those
# it starts have ended.
#
# The lock is an flock on an open file: the kernel releases it when the last process with the file open ends, killed or
# not. Scripts started by another one inherit the open file; its number is in PIPELINE_LOCK_DESCRIPTOR.
claim_directory() {
    local descriptor="${PIPELINE_LOCK_DESCRIPTOR:-}" lock="$1/.lock" inherited=""
    make_directory "$1"
    # The inherited file only counts if it belongs to this directory.
    if [[ $descriptor =~ ^[0-9]+$ && /dev/fd/$descriptor -ef $lock ]]; then
        inherited="$descriptor"
    else
        : 2>/dev/null >>"$lock" ||
            stop 14 "$lock: this user may not write there. Check the file's permissions, and run this again."
        exec {descriptor}<"$lock"
        export PIPELINE_LOCK_DESCRIPTOR="$descriptor"
    fi
    # The command `status` holds the lock for a moment to test it.
    flock --wait 0.3 "$descriptor" || {
        local holder
        # The last holder of the lock wrote this, and still holds it.
        holder="$(head --bytes 500 -- "$lock" | tr --delete --complement '[:print:]')" || true
        stop 4 "$1: another run is working on this directory${holder:+: $holder}. Wait until it has ended, and run this again."
    }
    [[ $descriptor == "${inherited:-}" ]] || name_holder "$1" "${0##*/}"
    export PIPELINE_DATA_ROOT="$1"
}

# has_claim: tell whether this run has claimed PIPELINE_DATA_ROOT, which anybody could set.
has_claim() {
    [[ -n ${PIPELINE_DATA_ROOT:-} && ${PIPELINE_LOCK_DESCRIPTOR:-} =~ ^[0-9]+$ &&
        /dev/fd/$PIPELINE_LOCK_DESCRIPTOR -ef $PIPELINE_DATA_ROOT/.lock ]]
}

# name_working_lock HOLDER: let the stage that starts now hold a lock of its own on the directory that this run has claimed. A
# container does not inherit the lock of `claim_directory`, and can outlive all who did.
#
# It is a second file: on the first one the stage would wait for the script, which waits for the stage.
name_working_lock() {
    working_lock=""
    if has_claim; then
        working_lock="$PIPELINE_DATA_ROOT/.working"
        [[ -w $working_lock ]] || : 2>/dev/null >>"$working_lock" ||
            stop 14 "$working_lock: this user may not write there. Check the file's permissions, and run this again."
        TZ=UTC0 printf -v ENGAGEMENT_LOCK_HOLDER '%s, since %(%Y-%m-%dT%H:%M:%SZ)T' "$1" -1
        export ENGAGEMENT_LOCK_FILE="$working_lock" ENGAGEMENT_LOCK_HOLDER
    fi
}

# name_holder DIRECTORY WHAT: write down who has locked the directory since when, and WHAT this process does there. It is
# only for people to read, so failing to write it does not matter.
name_holder() {
    # What a prompt would show for it: no program to start.
    local user='\u'
    user="${user@P}"
    [[ $user != "I have no name!" ]] || user="$UID"
    TZ=UTC0 printf '%s of user %s, process %d, since %(%Y-%m-%dT%H:%M:%SZ)T\n' "$2" "$user" "$$" -1 2>/dev/null >"$1/.lock" || true
}
