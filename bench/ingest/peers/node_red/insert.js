// One INSERT for each reading of each message, by a prepared statement.
const pool = global.get("pool");
const device = msg.topic.split("/")[4];
const { ts, m } = msg.payload;
for (const metric in m) {
    await pool.query({
        name: "insert",
        text: "INSERT INTO node_red (device, metric, at, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        values: [device, metric, ts, m[metric]],
    });
}
