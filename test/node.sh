#!/usr/bin/env bash
# Tests that need Node.js: test/node.sh DIRECTORY WHAT. Where Node.js, npm or
# the registry are missing it says so and is content.
set -uo pipefail
cd "$(dirname "$0")/$1"
what=$2

skip() {
	echo "skipped: $what, because $*"
	exit 0
}

command -v node >/dev/null || skip "there is no Node.js here"
command -v npm >/dev/null || skip "there is no npm here"
[ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" = true ] || skip "Node.js is older than 20"

if ! out=$(npm ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 2>&1); then
	if grep -Eq 'ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|E403|E404|E5[0-9][0-9]|network' <<<"$out"; then
		skip "the registry cannot be reached"
	fi
	echo "$out" >&2
	exit 1
fi
npm test
