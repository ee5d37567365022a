// @ts-check
// Photographs, made small on the phone: 1600 px at most, 400 kB at most. What is drawn anew carries
// nothing of the camera's file: no place, no telephone, no time (EXIF).

const LONG_SIDE = 1600;
const MOST_BYTES = 400_000;
const QUALITIES = [0.85, 0.75, 0.65, 0.55, 0.45];
const SMALLER = 0.8;
const LEAST_SIDE = 640;

/**
 * The picture as a small JPEG. Raises where it cannot be read.
 * @param {Blob} file
 */
export async function small(file) {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    let scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
    for (;;) {
      const canvas = document.createElement('canvas');
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      const pen = canvas.getContext('2d');
      if (!pen) throw new Error('no canvas');
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingQuality = 'high';
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      for (const quality of QUALITIES) {
        const jpeg = await new Promise((/** @type {(made: Blob | null) => void} */ done) => canvas.toBlob(done, 'image/jpeg', quality));
        if (jpeg && jpeg.size <= MOST_BYTES) return jpeg;
      }
      if (Math.max(canvas.width, canvas.height) <= LEAST_SIDE) throw new Error('too rich a picture');
      scale *= SMALLER;
    }
  } finally {
    picture.close();
  }
}
