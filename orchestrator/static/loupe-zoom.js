// Where a photo lies in the room there is for it. Pure functions; no document here.
//
// A zoom is {level, x, y}: device pixels for one pixel of the photo, and the point of the photo, 0 to 1, that is in the
// middle of the room. Without a zoom the photo fits. `room` and boxes are in CSS pixels; `size` is the photo's own.

const MOST_LEVEL = 4;

/** The level at which the whole photo is seen. */
export function fitLevel({ room, size, density }) {
  return Math.min(room.width / size.width, room.height / size.height) * density;
}

/** Where the photo lies: {left, top, width, height}, its corner on a device pixel so that 100 % is sharp. */
export function boxOf(place, zoom) {
  const { room, size, density } = place;
  const scale = (zoom?.level ?? fitLevel(place)) / density;
  const [width, height] = [size.width * scale, size.height * scale];
  const snapped = (length) => Math.round(length * density) / density;
  return {
    left: snapped(start(room.width, width, zoom?.x ?? 0.5)),
    top: snapped(start(room.height, height, zoom?.y ?? 0.5)),
    width,
    height,
  };
}

/** No edge of a photo that is larger than the room comes into it; a smaller one is in the middle. */
function start(room, length, middle) {
  return length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, room / 2 - middle * length));
}

/** The zoom to a level, the point of the photo that is under `at` staying there; undefined when the whole is seen. */
export function zoomedTo(place, zoom, level, at) {
  const least = fitLevel(place);
  const reached = Math.min(level, Math.max(MOST_LEVEL, least));
  if (reached <= least * 1.001) return undefined;
  const box = boxOf(place, zoom);
  const { room, size, density } = place;
  const middle = (offset, length, room, grown) => (Math.min(1, Math.max(0, (at[offset] - box[offset]) / box[length])) * grown + room / 2 - at[offset]) / grown;
  return clamped(place, {
    level: reached,
    x: middle("left", "width", room.width, (size.width * reached) / density),
    y: middle("top", "height", room.height, (size.height * reached) / density),
  });
}

/** The zoom after the photo was drawn along by so many CSS pixels. */
export function panned(place, zoom, { left, top }) {
  const scale = zoom.level / place.density;
  const [x, y] = [zoom.x - left / (place.size.width * scale), zoom.y - top / (place.size.height * scale)];
  return clamped(place, { ...zoom, x, y });
}

/** Its middle is where it is seen to be: drawing back from an edge moves the photo at once. */
function clamped(place, zoom) {
  const { room } = place;
  const box = boxOf(place, zoom);
  return {
    ...zoom,
    x: box.width <= room.width ? 0.5 : (room.width / 2 - box.left) / box.width,
    y: box.height <= room.height ? 0.5 : (room.height / 2 - box.top) / box.height,
  };
}
