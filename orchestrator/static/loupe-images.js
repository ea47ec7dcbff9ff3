// Pictures that are fetched and decoded before they are looked at, and few enough of them in memory.

const MOST_PIXELS = 120e6; // decoded they take four bytes each
const AT_ONCE = 2; // what is looked at among them: on a busy machine it is not to wait for those that come next
const WARM = 4; // browsers let go of decoded pixels by themselves: those that come next are decoded again

const pictures = new Map(); // address -> picture; the most recently used last
const listeners = { decoded: new Set(), broken: new Set() };
let plan = [];
let underWay = 0;

/** `listener()` when one more picture is decoded. */
export const onDecoded = (listener) => listeners.decoded.add(listener);
/** `listener(url)` when what was fetched is no picture. It is fetched again when it is planned the next time. */
export const onBroken = (listener) => listeners.broken.add(listener);

/**
 * The picture at an address: {url, image, pixels, isDecoded, decoded}. The image can be put into the page at once.
 * `shape` is {url, width, height}.
 */
export function pictureAt(shape) {
  const found = pictures.get(shape.url) ?? fetched(shape);
  pictures.delete(shape.url);
  pictures.set(shape.url, found);
  return found;
}

/** The same without fetching, and only when it is decoded. */
export function decodedAt(url) {
  const found = pictures.get(url);
  return found?.isDecoded ? found : undefined;
}

/** Fetches and decodes these in this order, as many as fit; what was planned before and is not begun is let go. */
export function decodeAhead(shapes) {
  plan = thatFit(shapes);
  for (const { url } of plan.slice(0, WARM)) decodedAt(url)?.image.decode().catch(() => {});
  begin();
}

function begin() {
  while (underWay < AT_ONCE) {
    const next = plan.find(({ url }) => !pictures.has(url));
    if (!next) return;
    pictureAt(next);
  }
}

/** The first is wanted however large it is. */
function thatFit(shapes) {
  let left = MOST_PIXELS;
  const once = new Map(shapes.map((shape) => [shape.url, shape]));
  return [...once.values()].filter((shape, n) => (left -= pixelsOf(shape)) >= 0 || n === 0);
}

function fetched(shape) {
  const image = new Image();
  image.draggable = false;
  image.decoding = "sync"; // it is put into the page to be seen in the same frame
  image.src = shape.url;
  const picture = { url: shape.url, image, pixels: pixelsOf(shape), isDecoded: false };
  underWay += 1;
  picture.decoded = image.decode().then(
    () => {
      picture.isDecoded = true;
      performance.mark("loupe:decoded", { detail: { url: shape.url } });
      for (const listener of listeners.decoded) listener();
    },
    () => {
      pictures.delete(shape.url);
      plan = plan.filter(({ url }) => url !== shape.url);
      for (const listener of listeners.broken) listener(shape.url);
    },
  );
  picture.decoded.then(() => {
    underWay -= 1;
    forget();
    begin();
  });
  return picture;
}

const pixelsOf = ({ width, height }) => (width ?? 0) * (height ?? 0);

/** Lets go of what was used longest ago and is not planned; what stands in the page is held by the page. */
function forget() {
  const planned = new Set(plan.map(({ url }) => url));
  let pixels = [...pictures.values()].reduce((sum, picture) => sum + picture.pixels, 0);
  for (const [url, picture] of pictures) {
    if (pixels <= MOST_PIXELS) return;
    if (planned.has(url) || picture.image.isConnected) continue;
    pictures.delete(url);
    pixels -= picture.pixels;
  }
}
