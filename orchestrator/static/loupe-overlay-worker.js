// Finds, away from the page, where a picture is in focus or clipped, and paints it into a picture of its own.

const MOST_PX = 2560; // long edge that is looked at
const FOCUS = [127, 176, 255]; // the accent of the loupe
const HIGHLIGHT = [255, 60, 60];
const SHADOW = [70, 110, 255];
const BRIGHTEST_KEPT = 252; // JPEG spreads what is clipped over the values beside it
const DARKEST_KEPT = 3;
const LEAST_CONTRAST = 48; // of a pixel with its neighbours; below it is noise
const MOST_IN_FOCUS = 0.06; // share of pixels: of a picture that is sharp all over, the sharpest

self.onmessage = async ({ data: { id, url, kind } }) => {
  try {
    const found = find(await pixelsAt(url), kind);
    self.postMessage({ id, ...found }, [found.bitmap]);
  } catch (error) {
    self.postMessage({ id, trouble: String(error) });
  }
};

/** The page has fetched it already: it comes from the browser's cache. */
async function pixelsAt(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const picture = await createImageBitmap(await response.blob());
  const scale = Math.min(1, MOST_PX / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((length) => Math.max(1, Math.round(length * scale)));
  const sheet = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  sheet.drawImage(picture, 0, 0, width, height);
  picture.close();
  return sheet.getImageData(0, 0, width, height);
}

function find({ data, width, height }, kind) {
  const marks = new ImageData(width, height);
  const shares = kind === "focus" ? markFocus(data, width, height, marks.data) : markClipping(data, marks.data);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(marks, 0, 0);
  return { bitmap: canvas.transferToImageBitmap(), shares };
}

/** A colour is gone at the bright end with its first channel; at the dark end nothing is left with the last. */
function markClipping(data, marks) {
  let [highlights, shadows] = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
    if (Math.max(red, green, blue) > BRIGHTEST_KEPT) {
      paint(marks, at, HIGHLIGHT);
      highlights += 1;
    } else if (Math.max(red, green, blue) < DARKEST_KEPT) {
      paint(marks, at, SHADOW);
      shadows += 1;
    }
  }
  const all = data.length / 4;
  return { highlights: highlights / all, shadows: shadows / all };
}

/** Where a pixel differs most from the four around it: fine detail, which only what is in focus has. */
function markFocus(data, width, height, marks) {
  const luma = lumaOf(data);
  const contrast = new Uint16Array(width * height);
  const counts = new Uint32Array(1 + 4 * 255);
  for (let y = 1; y < height - 1; y += 1) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at += 1) {
      contrast[at] = Math.abs(4 * luma[at] - luma[at - 1] - luma[at + 1] - luma[at - width] - luma[at + width]);
      counts[contrast[at]] += 1;
    }
  }
  const least = Math.max(LEAST_CONTRAST, exceededBy(counts, MOST_IN_FOCUS * contrast.length));
  let marked = 0;
  for (let at = 0; at < contrast.length; at += 1) {
    if (contrast[at] < least) continue;
    marked += 1;
    // Two by two: a single pixel is lost where the picture is shown smaller.
    for (const near of [at, at + 1, at + width, at + width + 1]) paint(marks, 4 * near, FOCUS);
  }
  return { focus: marked / contrast.length };
}

function lumaOf(data) {
  const luma = new Uint8Array(data.length / 4);
  for (let at = 0; at < luma.length; at += 1) luma[at] = (data[4 * at] * 77 + data[4 * at + 1] * 150 + data[4 * at + 2] * 29) >> 8;
  return luma;
}

/** The value that so many of those counted exceed. */
function exceededBy(counts, many) {
  let value = counts.length - 1;
  for (let left = many; value > 0 && left > counts[value]; value -= 1) left -= counts[value];
  return value + 1;
}

function paint(marks, at, [red, green, blue]) {
  marks[at] = red;
  marks[at + 1] = green;
  marks[at + 2] = blue;
  marks[at + 3] = 255;
}
