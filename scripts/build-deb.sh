#!/bin/bash
# Builds the Debian package of the build in dist/, and prints its path:
#     scripts/build-deb.sh [DIRECTORY]         where to put it; default: build
#     DEB_VERSION=0.2.0~rc1                    default: package.json's
#     DEB_LEVEL=1                              compression, zstd's levels; default: 19
# It brings its own Node (scripts/node-binary.sh), because Debian's may be too old. Needs dpkg-deb and npm.
#
#   /usr/bin/cc-metric-store                 starts the command below with that Node
#   /usr/lib/cc-metric-store/                node, dist/, node_modules/
#   /etc/cc-metric-store/config.json         conffile
#   /usr/lib/systemd/system/                 the unit
#   /usr/share/...                           documents, manual page, completion
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "build-deb: $*" >&2
  exit 1
}

name=cc-metric-store
out=$(mkdir -p "${1:-build}" && cd "${1:-build}" && pwd)
[ -e dist/command.js ] || fail 'dist/command.js is missing: run "npm run build" first'
[ -d node_modules ] || fail 'node_modules is missing: run "npm ci" first'
command -v dpkg-deb >/dev/null || fail 'dpkg-deb is missing: install the package dpkg'
version=${DEB_VERSION:-$(node -p 'require("./package.json").version')}
arch=$(dpkg --print-architecture)
node=$(bash scripts/node-binary.sh 24)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
umask 022
lib=$root/usr/lib/$name
doc=$root/usr/share/doc/$name
install -d "$lib" "$doc" "$root/DEBIAN" "$root/etc/$name" "$root/usr/bin" "$root/usr/lib/systemd/system"

# What npm's tarball holds, and what it depends on as package-lock.json has it.
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$root")
tar -xzf "$root/$tarball" -C "$lib" --strip-components=1
rm "$root/$tarball"
packages=$(node -p '
  const { packages } = require("./package-lock.json");
  const wanted = ([path, entry]) =>
    path.startsWith("node_modules/") && !entry.dev && !entry.devOptional && !entry.optional && !entry.link;
  Object.entries(packages).filter(wanted).map(([path]) => path).join("\n")')
for package in $packages; do
  find "$package" -name node_modules -prune -o -type f -not -name '*.map' -not -name '*.d.*ts' -not -name '*.d.ts' -print
done | tar -cf - -T - | tar -xf - -C "$lib"
install -m 755 "$node" "$lib/node"

cat >"$root/usr/bin/$name" <<EOF
#!/bin/sh
exec /usr/lib/$name/node /usr/lib/$name/dist/command.js "\$@"
EOF
chmod 755 "$root/usr/bin/$name"
sed "s|\./var/checkpoints|/var/lib/$name/checkpoints|" configs/config.json >"$root/etc/$name/config.json"
grep -q "/var/lib/$name/checkpoints" "$root/etc/$name/config.json" || fail 'configs/config.json names no ./var/checkpoints'
sed "s|^Documentation=.*|Documentation=man:$name(8) file:///usr/share/doc/$name/docs/operations.md|" \
  "contrib/systemd/$name.service" >"$root/usr/lib/systemd/system/$name.service"

mv "$lib/docs" "$lib/README.md" "$lib/configs" "$doc"
rm -r "$lib/contrib" "$lib/LICENSE"
mv "$lib/CHANGELOG.md" "$doc/changelog"
gzip -9n "$doc/changelog"
cp "$(dirname "$node")/../LICENSE" "$doc/LICENSE.node"
{ cat contrib/debian/copyright.in; tail -n +5 LICENSE | sed 's/^$/./; s/^/ /'; } >"$doc/copyright"
install -d "$root/usr/share/man/man8" "$root/usr/share/bash-completion/completions"
node scripts/command-help.js man "contrib/debian/$name.8.in" | gzip -9n >"$root/usr/share/man/man8/$name.8.gz"
node scripts/command-help.js completion >"$root/usr/share/bash-completion/completions/$name"

size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" contrib/debian/control.in >"$root/DEBIAN/control"
echo "/etc/$name/config.json" >"$root/DEBIAN/conffiles"
install -m 755 contrib/debian/postinst contrib/debian/prerm contrib/debian/postrm "$root/DEBIAN"
(cd "$root" && find etc usr -type f -exec md5sum {} + >DEBIAN/md5sums)

deb=$out/${name}_${version}_$arch.deb
dpkg-deb --root-owner-group -Zzstd "-z${DEB_LEVEL:-19}" --build "$root" "$deb" >/dev/null
echo "$deb"
