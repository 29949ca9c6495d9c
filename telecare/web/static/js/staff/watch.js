// What a page says that shows the night's lists: see core/protocol.js.

/** @param {boolean} nights @returns {import("../core/wire").Watch} */
export const watch = (nights) => ({ type: "watch", nights });
