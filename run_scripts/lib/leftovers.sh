# shellcheck shell=bash disable=SC2154 # run_pipeline.sh sets counts_directory
# What runs leave behind that were killed outright: unfinished files (`*.partial`), and the folders of their counts. Only
# what no living run has is removed.

# remove_unfinished DATA_ROOT: remove unfinished files and folders in the data root that this run has claimed. A stage that goes
# on without its script still writes some: then nothing is removed.
remove_unfinished() (
    local path finished unfinished=()
    if [[ -e $1/.working ]]; then
        { exec {working}<"$1/.working" && flock --nonblock "$working"; } 2>/dev/null || exit 0
    fi
    while IFS= read -r -d '' path; do
        finished="${path%.partial}"
        # Where only the old version is beside it, the new one is complete: the next stage moves it into place.
        [[ ! -e $finished && -e $finished.old ]] || unfinished+=("$path")
    done < <(find "$1" -mindepth 1 -name '*.partial' -prune -print0 2>/dev/null)
    ((${#unfinished[@]} > 0)) || exit 0
    rm -rf -- "${unfinished[@]}" 2>/dev/null || true
    say "Removed what a killed run left unfinished in $1 (*.partial): ${#unfinished[@]}. All finished files are there."
)

# hold_counts_directory: make this run's `counts_directory`, and hold it until this run and its stages have ended.
hold_counts_directory() {
    local descriptor tries
    for ((tries = 0; tries < 10; tries++)); do
        make_directory "$counts_directory"
        { exec {descriptor}<"$counts_directory"; } 2>/dev/null || continue
        # Some network file systems can't lock a directory; nobody else can do it there either.
        flock --nonblock "$descriptor" 2>/dev/null || true
        # Another run may have removed it in between.
        [[ ! /dev/fd/$descriptor -ef $counts_directory ]] || break
        exec {descriptor}<&-
    done
}

# remove_counts_of_killed_runs DIRECTORY: remove the folders for counts that nobody holds. Runs on other data roots may share the
# directory for logs.
remove_counts_of_killed_runs() {
    local path
    for path in "$1"/.counts-????-??-??T??????Z-*; do
        [[ ! -d $path || -L $path ]] || flock --nonblock "$path" rm -rf -- "$path" 2>/dev/null || true
    done
}

# remove_old_upload_sessions DIRECTORY DAYS: remove what is kept of uploads that began that long ago and never ended, from the directory
# for archives. The bucket forgets them after a week.
remove_old_upload_sessions() {
    find "$1/.uploads" -maxdepth 1 -type f -mtime "+$(($2 > 7 ? $2 : 7))" \
        \( -name '*.json' -o -name '*.json.partial' \) -delete 2>/dev/null || true
}
