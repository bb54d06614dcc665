# Makes a task, waits until its event came back from the bus to a live screen, and deletes the task. Needs curl.
# TODO_URL: the web port. TODO_TOKEN_FILE: a token of the user.
set -eu
work=$(mktemp -d)
call() { # call METHOD JSON
  curl --silent --show-error --fail-with-body --max-time 20 \
    -H "authorization: Bearer $(cat "$TODO_TOKEN_FILE")" -H 'content-type: application/json' \
    -d "$2" "$TODO_URL/todo.v1.TodoService/$1"
}
title="helm test $(date +%s) $$"
curl --silent --show-error --no-buffer --max-time 90 -H "authorization: Bearer $(cat "$TODO_TOKEN_FILE")" \
  "$TODO_URL/events?snapshot=none" > "$work/events" &
screen=$!
trap 'kill "$screen" 2>/dev/null || true; rm -rf "$work"' EXIT
tries=0
until [ -s "$work/events" ]; do # the screen is open: only then is the task made
  tries=$((tries + 1))
  [ "$tries" -le 60 ] && kill -0 "$screen" 2>/dev/null || { echo "failed: no live screen opened"; exit 1; }
  sleep 0.5
done
task=$(call CreateTask "{\"task\": {\"title\": \"$title\"}}")
id=$(echo "$task" | sed -n 's/.*"id": *"\{0,1\}\([0-9][0-9]*\)"\{0,1\}.*/\1/p' | head -n 1)
echo "made task $id: $title"
tries=0
until grep -q "\"title\": *\"$title\"" "$work/events"; do
  tries=$((tries + 1))
  [ "$tries" -le 120 ] || { echo "failed: the event did not come back from the bus within a minute"; exit 1; }
  sleep 0.5
done
echo "its event came back"
call DeleteTask "{\"id\": $id}" > /dev/null
echo "passed"
