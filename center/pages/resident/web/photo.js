// @ts-check
// A photograph as text, for a report that is one JSON.

/** @param {Blob} blob @returns {Promise<string>} */
export function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).split(',', 2)[1] ?? '');
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}
