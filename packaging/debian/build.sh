#!/bin/sh
# Makes a Debian package of a binary that has been built: packaging/debian/build.sh BINARY FOLDER
# The same binary gives the same package, byte for byte (SOURCE_DATE_EPOCH, or the binary's own time).
set -eu
binary=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$("$binary" version --json | sed -n 's/^ *"version": "\(.*\)",$/\1/p')
[ -n "$version" ] || { echo "$binary does not say its version" >&2; exit 1; }
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$binary")}
export SOURCE_DATE_EPOCH
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
install -D -m 0755 "$binary" "$root/usr/bin/portcullis"
# Nothing of a package lies below /usr/local.
mkdir -p "$root/lib/systemd/system"
sed "s,/usr/local/bin/,/usr/bin/," "$here/../systemd/portcullis.service" > "$root/lib/systemd/system/portcullis.service"
install -D -m 0644 "$here/../systemd/portcullis.socket" "$root/lib/systemd/system/portcullis.socket"
install -D -m 0644 "$here/portcullis.yaml" "$root/etc/portcullis/portcullis.yaml"
install -D -m 0644 "$here/../../LICENSE" "$root/usr/share/doc/portcullis/copyright"
"$binary" sbom > "$root/usr/share/doc/portcullis/portcullis.cdx.json"
mkdir "$root/DEBIAN"
chmod 0755 "$root" "$root/DEBIAN"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" "$here/control" > "$root/DEBIAN/control"
cp "$here/conffiles" "$root/DEBIAN/conffiles"
mkdir -p "$folder"
dpkg-deb --root-owner-group --build "$root" "$folder/portcullis_${version}_$architecture.deb"
