// What was done on a page that is gone by now is said, and can be undone, on the next one.

const KEY = "project-ended";

export const leaveWord = (word) => sessionStorage.setItem(KEY, JSON.stringify(word));

/** The word that the page before left: {id, words}; once. */
export function takeWord() {
  const word = JSON.parse(sessionStorage.getItem(KEY));
  sessionStorage.removeItem(KEY);
  return word;
}
