// What drivers can call at stage 6: as stage 3, and revoke.

export {};
