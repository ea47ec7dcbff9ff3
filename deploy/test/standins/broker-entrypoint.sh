#!/bin/sh
# As the official image does it: started by root, the server runs as the user rabbitmq.
set -eu
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq
export HOME=/var/lib/rabbitmq RABBITMQ_LOGS=-
exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups "/usr/lib/rabbitmq/bin/$1"
