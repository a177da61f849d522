#!/bin/sh
# in-group.sh FOLDER... -- PROGRAM ARGUMENT...
# Moves itself into the control groups, then becomes the program: a process can only be born into its parent's group.
set -e
while [ "$1" != -- ]; do
  echo $$ > "$1/cgroup.procs"
  shift
done
shift
exec "$@"
