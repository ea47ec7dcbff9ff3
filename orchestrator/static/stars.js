// Five stars that show a rating and take one.

/** Shows `rating`, null for none, in a node of the `stars` template. */
export function showStars(node, rating) {
  node.classList.toggle("rated", rating !== null);
  for (const button of node.querySelectorAll("[data-star]")) {
    const isOn = Number(button.dataset.star) <= (rating ?? 0);
    button.classList.toggle("on", isOn);
    button.firstElementChild.textContent = isOn ? "★" : "☆";
    button.setAttribute("aria-pressed", String(Number(button.dataset.star) === rating));
  }
}

/** The rating that a click asks for: null on the star that is the rating already; undefined beside the stars. */
export function starOf(event, rating) {
  const star = Number(event.target.closest("[data-star]")?.dataset.star);
  if (!star) return undefined;
  return star === rating ? null : star;
}
