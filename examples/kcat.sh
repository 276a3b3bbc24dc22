#!/usr/bin/env bash
# A transfer straight to Kafka with kcat, and its outcome. Needs KAFKA_BOOTSTRAP_SERVERS, as `hfts env` prints it.
#
#   examples/kcat.sh FROM TO AMOUNT CURRENCY
#
# The key is the source wallet's id. librdkafka needs partitioner=murmur2_random to choose the same partition for it as
# Java and aiokafka do: the order of a wallet's transfers is the order within its partition.
set -euo pipefail

FROM=$1 TO=$2 AMOUNT=$3 CURRENCY=$4
ID=$(python3 -c 'import uuid; print(uuid.uuid4())')
PREFIX=${TOPIC_PREFIX:-}

printf '%s|{"transfer_id":"%s","source_wallet_id":"%s","destination_wallet_id":"%s","amount":"%s","currency":"%s","requested_at":"%s"}\n' \
  "$FROM" "$ID" "$FROM" "$TO" "$AMOUNT" "$CURRENCY" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" |
  kcat -P -b "$KAFKA_BOOTSTRAP_SERVERS" -t "${PREFIX}transfers.requested" -K '|' -X acks=all -X partitioner=murmur2_random

# Outcomes have the same key; a program would follow the topic instead of reading its ends again. Those of transactions
# that are still open are not shown.
for _ in $(seq 120); do
  OUTCOME=$(kcat -C -q -e -b "$KAFKA_BOOTSTRAP_SERVERS" -t "${PREFIX}transfers.outcomes" -o -1000 -f '%s\n' \
    -X isolation.level=read_committed | grep -F "\"$ID\"" || true)
  [ -n "$OUTCOME" ] && echo "$OUTCOME" && exit
  sleep 0.5
done
echo "no outcome within a minute: is a worker running? A request that is no transfer goes to ${PREFIX}transfers.dead-letter" >&2
exit 1
