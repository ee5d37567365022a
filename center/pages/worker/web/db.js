// @ts-check
// What the phone keeps: my tickets for reading without network, and what is still to be sent.

const NAME = 'gridsentry-worker';
const STORES = ['kept', 'tickets', 'deeds', 'photos'];
/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      const db = asked.result;
      db.createObjectStore('kept');
      db.createObjectStore('tickets', { keyPath: 'id' });
      db.createObjectStore('deeds', { keyPath: 'n', autoIncrement: true });
      db.createObjectStore('photos', { keyPath: 'id' });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

/**
 * One transaction: all of it, or nothing.
 * @template T
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(transaction: IDBTransaction) => IDBRequest<T> | void} work
 * @returns {Promise<T>}
 */
async function within(stores, mode, work) {
  const db = await open();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(stores, mode);
    const asked = work(transaction);
    transaction.oncomplete = () => resolve(/** @type {T} */ (asked ? asked.result : undefined));
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {string} key @returns {Promise<any>} */
export const recall = (key) => within(['kept'], 'readonly', (t) => t.objectStore('kept').get(key));
/** @param {string} key @param {unknown} value */
export const keep = (key, value) => within(['kept'], 'readwrite', (t) => { t.objectStore('kept').put(value, key); });

/** @returns {Promise<any[]>} */
export const tickets = () => within(['tickets'], 'readonly', (t) => t.objectStore('tickets').getAll());
/** @param {any} ticket */
export const putTicket = (ticket) => within(['tickets'], 'readwrite', (t) => { t.objectStore('tickets').put(ticket); });
/** Only these stay. @param {Set<string>} ids */
export const onlyTickets = (ids) => within(['tickets'], 'readwrite', (t) => {
  const store = t.objectStore('tickets');
  store.getAllKeys().onsuccess = (event) => {
    for (const id of /** @type {IDBRequest<IDBValidKey[]>} */ (event.target).result) if (!ids.has(String(id))) store.delete(id);
  };
});

/** What is to be sent, in the order it was done. @returns {Promise<Deed[]>} */
export const deeds = () => within(['deeds'], 'readonly', (t) => t.objectStore('deeds').getAll());
/**
 * A deed with its photographs.
 * @param {Omit<Deed, 'n'>} deed
 * @param {{id: string, blob: Blob}[]} photos
 */
export const addDeed = (deed, photos) => within(['deeds', 'photos'], 'readwrite', (t) => {
  t.objectStore('deeds').add(deed);
  for (const photo of photos) t.objectStore('photos').put(photo);
});
/** @param {Deed} deed */
export const putDeed = (deed) => within(['deeds'], 'readwrite', (t) => { t.objectStore('deeds').put(deed); });
/** It is sent, or the worker has read why not. @param {Deed} deed */
export const dropDeed = (deed) => within(['deeds', 'photos'], 'readwrite', (t) => {
  t.objectStore('deeds').delete(deed.n);
  for (const photo of deed.photos) t.objectStore('photos').delete(photo.id);
});
/** @param {string} id @returns {Promise<{id: string, blob: Blob} | undefined>} */
export const photo = (id) => within(['photos'], 'readonly', (t) => t.objectStore('photos').get(id));

/** Another person uses this phone now: nothing of the tickets before stays. What is to be sent does. */
export const forget = () => within(STORES, 'readwrite', (t) => { t.objectStore('tickets').clear(); t.objectStore('kept').delete('list'); });

/**
 * @typedef {object} Deed
 * @property {number} n in the order they were done
 * @property {string} worker whose it is; sent by nobody else
 * @property {string} key the same however often it is sent
 * @property {string} ticket
 * @property {string} action
 * @property {string} label what the worker pressed, for messages
 * @property {number} done_at epoch ms by the phone's clock
 * @property {string} [reason]
 * @property {string} [note]
 * @property {Record<string, unknown>} [data]
 * @property {{id: string, name: string, ref: string | null}[]} photos
 * @property {'waiting' | 'refused'} state
 * @property {string} [why] of a refusal, as the center said it
 * @property {boolean} [noted]
 */
