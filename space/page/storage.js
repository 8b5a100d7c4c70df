/** What the browser keeps. A frame in another site may be denied it, and it may be full: then the page goes on without. */

/** What is kept under a name, or `otherwise`. */
export function recall(area, name, otherwise) {
  try {
    return JSON.parse(window[area].getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep it; false where the browser does not. */
export function keep(area, name, value) {
  try {
    window[area].setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
