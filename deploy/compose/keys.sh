#!/bin/sh
# Makes what docker compose needs and no repository may hold, unless it is
# there: a master key in .parley, and secrets in .env.
set -eu
cd "$(dirname "$0")/../.."
umask 077

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -e .parley/master.key ]; then
	mkdir -p .parley # nobody else may look into it: the container's user reads the file by its mode
	{ random 32; echo; } > .parley/master.key.new
	chmod 444 .parley/master.key.new
	mv .parley/master.key.new .parley/master.key
	echo "A master key is made in .parley/master.key: keep a copy of it, apart from the data."
fi
if [ ! -e .env ]; then
	{
		echo "# Made by make up; .env.example says what else there is."
		echo "PARLEY_TOKENS=default:sk-$(random 24)"
		echo "GRAFANA_PASSWORD=$(random 12)"
	} > .env.new
	mv .env.new .env
fi
