#!/bin/sh
# Writes Mosquitto's password file from the environment; runs before the broker, in its image.
#   MQTT_SERVICE_PASSWORD   of the user gridsentry
#   MQTT_GATEWAY_PASSWORD   of the user gw-sample
#   MQTT_MORE_USERS         name:password, with spaces between
#   SECRETS_DIR             where it goes (default /mosquitto/secrets)
set -eu
dir=${SECRETS_DIR:-/mosquitto/secrets}
new="$dir/passwords.new"

: "${MQTT_SERVICE_PASSWORD:?is not set}" "${MQTT_GATEWAY_PASSWORD:?is not set}"
rm -f "$new"
(umask 077 && : >"$new")
mosquitto_passwd -b "$new" gridsentry "$MQTT_SERVICE_PASSWORD"
mosquitto_passwd -b "$new" gw-sample "$MQTT_GATEWAY_PASSWORD"
for one in ${MQTT_MORE_USERS:-}; do
    name=${one%%:*}
    password=${one#*:}
    if [ "$name" = "$one" ] || [ -z "$name" ] || [ -z "$password" ]; then
        echo "MQTT_MORE_USERS: one entry is not name:password" >&2
        exit 2
    fi
    mosquitto_passwd -b "$new" "$name" "$password"
done
# The broker becomes this user; nobody else may read it.
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
    chown mosquitto "$new"
fi
mv "$new" "$dir/passwords"
echo "wrote $dir/passwords: $(wc -l <"$dir/passwords") users"
