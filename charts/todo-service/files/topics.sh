# Compares the topics with the contract of the events; with the argument "make" it makes the missing ones first. Needs rpk,
# whose settings are in its variables RPK_*.
# TOPICS: lines of name, least number of partitions and retention in ms. REPLICAS: of each partition.
# Exit code 3: a topic is not as it should be, and a person has to decide. What is printed says what to do.
set -eu
mode=${1:-check} wrong=0
say() { echo "topic $*"; wrong=3; }
# shellcheck disable=SC2086
set -- $TOPICS
while [ $# -gt 0 ]; do
  topic=$1 partitions=$2 retention=$3
  shift 3
  if [ "$mode" = make ]; then
    rpk topic create "$topic" --if-not-exists -p "$partitions" -r "$REPLICAS" -c "retention.ms=$retention"
  fi
  summary=$(rpk topic describe -s "$topic")
  there=$(echo "$summary" | sed -n 's/^PARTITIONS  *\([0-9][0-9]*\).*/\1/p')
  if [ "${there:-0}" -eq 0 ]; then
    say "$topic cannot be read: make it (kafka.topics.create=true), or allow this user to describe it. $(echo "$summary" | sed -n 's/^ERROR  *//p')"
    continue
  fi
  if [ "$there" -lt "$partitions" ]; then
    say "$topic has fewer partitions than needed, $there instead of $partitions: rpk topic add-partitions $topic --num $((partitions - there))"
  fi
  configs=$(rpk topic describe -c "$topic")
  kept=$(echo "$configs" | sed -n 's/^retention\.ms  *\(-\{0,1\}[0-9][0-9]*\) .*/\1/p')
  if [ -z "$kept" ]; then
    say "$topic does not tell its retention: look whether it is $retention ms or more"
  elif [ "$kept" -ge 0 ] && [ "$kept" -lt "$retention" ]; then
    say "$topic forgets its records too early, after $kept ms instead of $retention: rpk topic alter-config $topic --set retention.ms=$retention"
  elif [ "$kept" -ne "$retention" ]; then
    echo "topic $topic keeps its records longer than needed, for $kept ms instead of $retention (-1: for ever): it does no harm"
  fi
done
[ "$wrong" -ne 0 ] || echo "the topics are as the contract of the events says"
exit "$wrong"
