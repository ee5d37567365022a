// Node-RED without its editor: what is measured is the flow. The flow's functions find a pool of
// database connections (node-postgres as it comes: ten) in their global context.
"use strict";
const path = require("node:path");
const { Pool } = require(path.join(process.env.BENCH_MODULES, "pg"));

module.exports = {
    flowFile: "flows.json",
    httpAdminRoot: false,
    httpNodeRoot: false,
    uiHost: "127.0.0.1",
    uiPort: Number(process.env.BENCH_PORT),
    credentialSecret: false,
    logging: { console: { level: "info", metrics: false, audit: false } },
    functionGlobalContext: {
        pool: new Pool({
            host: process.env.BENCH_PGHOST,
            user: process.env.BENCH_PGUSER,
            database: process.env.BENCH_PGDATABASE,
        }),
    },
};
