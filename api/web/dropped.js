// What was dropped onto the page, folders included, as `{file, name}` with the path inside the folder as name.

const HIDDEN = /^(\.|~\$|Thumbs\.db$)/;

export async function droppedFiles(transfer) {
  // Entries have to be taken before the first wait: afterwards the browser has emptied the list.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (HIDDEN.test(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject)).catch(() => null);
    if (file) found.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives at most 100 entries at a time, and none at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (!some.length) return;
    for (const inner of some) await walk(inner, found);
  }
}
