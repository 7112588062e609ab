#!/bin/sh
# Checksums of everything in a folder of a release, and a signature of them by an Ed25519 key:
#   packaging/sign.sh FOLDER KEY.pem        makes SHA256SUMS and SHA256SUMS.sig
#   packaging/sign.sh --check FOLDER PUBLIC.pem
# A key: openssl genpkey -algorithm ed25519 -out KEY.pem; its public half: openssl pkey -in KEY.pem -pubout -out PUBLIC.pem
set -eu
check=
if [ "$1" = --check ]; then check=yes; shift; fi
folder=$1 key=$(realpath "$2")
cd "$folder"
# Both ways the same list, so that a file that was added is noticed as well as one that was changed or taken away.
list() { find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | LC_ALL=C sort | sed 's|^\./||'; }
if [ -n "$check" ]; then
    openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig
    sha256sum --check --strict --quiet SHA256SUMS
    [ "$(list)" = "$(sed 's/^[0-9a-f]*  //' SHA256SUMS)" ] || { echo "there are files that were not signed" >&2; exit 1; }
    exit 0
fi
list | while IFS= read -r name; do sha256sum "$name"; done > SHA256SUMS
[ -s SHA256SUMS ] || { echo "there is nothing in $folder" >&2; exit 1; }
openssl pkeyutl -sign -inkey "$key" -rawin -in SHA256SUMS -out SHA256SUMS.sig
