// Previews that are fetched and decoded before they are looked at.

const KEPT = 12;
const images = new Map(); // address -> image; the most recently used last

/** The image of a photo, decoded perhaps. It can be put into the page at once: until it is there, its blur is seen. */
export function imageOf(photo) {
  const found = images.get(photo.preview_url) ?? fetched(photo);
  images.delete(photo.preview_url);
  images.set(photo.preview_url, found);
  for (const old of [...images.keys()].slice(0, -KEPT)) images.delete(old);
  found.alt = photo.subject ?? `Photo ${photo.file_name}`;
  return found;
}

function fetched(photo) {
  const image = new Image();
  image.draggable = false;
  image.className = "loupe-photo";
  if (photo.preview_width) [image.width, image.height] = [photo.preview_width, photo.preview_height];
  if (photo.placeholder) image.style.backgroundImage = `url("data:image/jpeg;base64,${photo.placeholder}")`;
  image.src = photo.preview_url;
  image.decode().then(
    () => (image.style.backgroundImage = ""),
    () => {}, // its words stand there instead
  );
  return image;
}
