// Readings are gathered and written by one statement: at most SIZE rows, at the latest after 20 ms.
const SIZE = 1000;
const LINGER_MS = 20;

let held = context.get("held");
if (held === undefined) {
    held = { devices: [], metrics: [], times: [], values: [], timer: null };
    context.set("held", held);
}

function flush() {
    clearTimeout(held.timer);
    held.timer = null;
    const { devices, metrics, times, values } = held;
    held.devices = [];
    held.metrics = [];
    held.times = [];
    held.values = [];
    return global.get("pool").query({
        name: "batched",
        text: "INSERT INTO node_red (device, metric, at, value)"
            + " SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::float8[])"
            + " ON CONFLICT DO NOTHING",
        values: [devices, metrics, times, values],
    });
}

const device = msg.topic.split("/")[4];
const { ts, m } = msg.payload;
for (const metric in m) {
    held.devices.push(device);
    held.metrics.push(metric);
    held.times.push(ts);
    held.values.push(m[metric]);
}
if (held.devices.length >= SIZE) {
    await flush();
} else if (held.timer === null) {
    held.timer = setTimeout(() => flush().catch((error) => node.error(error)), LINGER_MS);
}
