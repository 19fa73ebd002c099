// What a VFIO user can call at stage 6: as stage 3, and every way in which the device takes its BARs back.

export {};
