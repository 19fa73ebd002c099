// The newest surface of vfio-dmabuf.

export {};
