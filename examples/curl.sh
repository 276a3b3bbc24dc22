#!/usr/bin/env bash
# Transfers over HTTP with curl. Needs the variables that `hfts env` prints: API_URL, ADMIN_EMAIL, ADMIN_PASSWORD.
#
#   set -a; source <(.venv/bin/hfts env); set +a
#   source examples/curl.sh
#
# Sourced, it leaves ADA and BOB (their tokens), FROM and TO (their wallets) for further requests.

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
retry=(--retry 8 --retry-connrefused --retry-max-time 60) # on 408, 429, 502, 503 and 504 too; it heeds Retry-After
post() { curl -fsS "${retry[@]}" "$API_URL$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' -d "$3" "${@:4}"; }
get() { curl -fsS "${retry[@]}" "$API_URL$1" -H "Authorization: Bearer $2"; }
token() { curl -fsS "${retry[@]}" "$API_URL/v1/auth/token" --data-urlencode "username=$1" --data-urlencode "password=$2" | field access_token; }
outcome() { # of a receipt, or of the outcome itself; follows its location until it is no longer PENDING
  local answer=$1 location
  if [[ $answer == *'"PENDING"'* ]]; then
    location=$(field location <<<"$answer")
    while [[ $answer == *'"PENDING"'* ]]; do
      sleep 0.2
      answer=$(get "$location" "$2")
    done
  fi
  echo "$answer"
}

# Two people, a wallet each.
NOW=$(date +%s%N)
post /v1/users "" "{\"email\": \"ada-$NOW@example.com\", \"password\": \"rain on a tin roof\"}" >/dev/null
post /v1/users "" "{\"email\": \"bob-$NOW@example.com\", \"password\": \"tea at half past four\"}" >/dev/null
ADA=$(token "ada-$NOW@example.com" "rain on a tin roof")
BOB=$(token "bob-$NOW@example.com" "tea at half past four")
FROM=$(post /v1/wallets "$ADA" '{"currency": "EUR"}' | field wallet_id)
TO=$(post /v1/wallets "$BOB" '{"currency": "EUR"}' | field wallet_id)

# An admin brings money in. A deposit goes the same way as every transfer. With Prefer the answer is the outcome, if that
# is there in time, else a receipt. With a key of one's own it is safe to send a request again, as curl's --retry does.
ADMIN=$(token "$ADMIN_EMAIL" "$ADMIN_PASSWORD")
DEPOSIT=$(post /v1/deposits "$ADMIN" "{\"wallet_id\": \"$FROM\", \"amount\": \"100.00\", \"currency\": \"EUR\"}" \
  -H "Idempotency-Key: deposit $NOW" -H 'Prefer: wait=10')
outcome "$DEPOSIT" "$ADMIN"

# Ada pays Bob.
PAYMENT=$(post /v1/transfers "$ADA" "{\"source_wallet_id\": \"$FROM\", \"destination_wallet_id\": \"$TO\",
  \"amount\": \"12.50\", \"currency\": \"EUR\", \"reference\": \"lunch\"}" -H "Idempotency-Key: lunch $NOW" -H 'Prefer: wait=10')
outcome "$PAYMENT" "$ADA" # COMPLETED, or FAILED with a reason

# Many at once: a transfer a line, each with a key of its own, and a result a line.
for N in 1 2 3; do
  echo "{\"source_wallet_id\": \"$FROM\", \"destination_wallet_id\": \"$TO\", \"amount\": \"1.00\", \"currency\": \"EUR\"," \
    "\"idempotency_key\": \"coffee $N of $NOW\"}"
done | curl -fsS "$API_URL/v1/transfers/batch" -H "Authorization: Bearer $ADA" -H 'Content-Type: application/x-ndjson' \
  --data-binary @- | while read -r LINE; do outcome "$LINE" "$ADA"; done

get "/v1/wallets/$FROM/entries" "$ADA" # the newest first
echo
