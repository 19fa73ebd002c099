// What drivers can call at stage 3: buffers, attachments and fences; mappings are tables behind the `sgt` entry.

export {};
