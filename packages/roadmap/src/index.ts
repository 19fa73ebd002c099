// The newest surface of roadmap.
export {};
