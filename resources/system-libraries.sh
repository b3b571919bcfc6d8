#!/usr/bin/env bash
# Checks for the system packages that are needed on Debian and Ubuntu, first of all the libraries that Qt's
# wheels expect. The argument `cluster` adds HAProxy, which serves the central address; `test` also adds poppler,
# which draws the pages that previews are compared with; `campaign` adds HAProxy and the tools that drop packets;
# `display` adds a display without a monitor, and programs to drag from; `bundle` adds what makes and validates the
# bundle, and the sound library that the camera needs; `bundle-check` adds what its package is tried with. Missing
# packages are installed if the user is root; otherwise the command that installs them is printed. On other systems
# this script does nothing.
set -euo pipefail

packages=(libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libglib2.0-0)
# Those of a display too, also if there is none now: the program must start as soon as there is one.
packages+=(libx11-xcb1 libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
  libxcb-render-util0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libxcb-shm0 libxcb-render0)

# Those of QtMultimedia, for the camera.
packages+=(libpulse0 libxext6 libxrandr2 libxrender1 libdrm2)

case "${1:-}" in
  test) packages+=(haproxy poppler-utils) ;;
  cluster) packages+=(haproxy) ;;
  display) packages+=(xvfb openbox xdotool pcmanfm) ;;
  bundle) packages+=(binutils xz-utils desktop-file-utils appstream) ;;
  bundle-check) packages+=(debootstrap xvfb openbox xdotool pcmanfm) ;;
  campaign) packages+=(haproxy iproute2 iptables procps) ;;
esac

# Debian has the module that creates virtual environments in a separate package.
"${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)

command -v dpkg-query >/dev/null || exit 0

installed() {
  # Newer releases have another name for some packages (libglib2.0-0t64). dpkg-query fails for an unknown name.
  local found
  found=$(dpkg-query -W -f='${Status}\n' "$1" "$1t64" 2>/dev/null || true)
  grep -q '^install ok installed' <<<"$found"
}

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "Please install these system packages, then try again:" >&2
  echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "Installing system packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
