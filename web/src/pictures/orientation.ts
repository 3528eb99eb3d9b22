// SPDX-License-Identifier: MIT

/**
 * How a JPEG's EXIF says it is to be turned, 1 for not at all. Browsers turn it, the original model
 * code does not: a picture that is to be turned is turned before it is sent.
 */
export function exifOrientation(bytes: ArrayBuffer): number {
  const view = new DataView(bytes);
  try {
    if (view.getUint16(0) !== 0xffd8) return 1;
    for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
      const marker = view.getUint8(at + 1);
      if (marker === 0xda) return 1;
      if (marker === 0xe1 && view.getUint32(at + 4) === 0x45786966)
        return tiffOrientation(view, at + 10);
    }
  } catch {
    // Shorter than it says: the server will say what is wrong with it.
  }
  return 1;
}

function tiffOrientation(view: DataView, tiff: number): number {
  const little = view.getUint16(tiff) === 0x4949;
  const directory = tiff + view.getUint32(tiff + 4, little);
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count; ++i) {
    const entry = directory + 2 + i * 12;
    if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little);
  }
  return 1;
}
