// Which kernels differ in how they program ACS and put devices into groups.
// Source followed: the table of changes 6.1, 6.12, 7.2, 7.3: config_acs came with 6.12; from 7.2 on the capability word
// is cached and two IDT switches lose source validation, and one ASPEED bridge no longer makes an alias.
// Simplified: releases between those behave like the newest one not above them.

/**
 * A kernel as far as ACS and grouping go.
 * @public
 */
export type AcsKernel = '6.1' | '6.12' | '7.2' | '7.3';

/** Whether `config_acs=` exists, and parameters are computed from the value firmware left. */
export const computesFromFirmware = (kernel: AcsKernel): boolean => kernel !== '6.1';

/** Whether the changes of 7.2 are in. */
export const cachesCapability = (kernel: AcsKernel): boolean => kernel === '7.2' || kernel === '7.3';
