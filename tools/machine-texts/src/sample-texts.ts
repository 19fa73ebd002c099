// Small inputs written for tests, in the formats that recorded machines do not come in.
// Source followed: the output of pciutils and of NCCL.
// Simplified: no such machines exist.

/** A drawing of lspci -tv with two root buses, a switch and an empty slot. */
export const sampleTree = `-+-[0000:00]-+-00.0  Intel Corporation Device 29c0
 |           +-02.0-[01-05]----00.0-[02-05]--+-00.0-[03]----00.0  NVIDIA Corporation Device 2330
 |           |                               +-01.0-[04]--+-00.0  Mellanox Technologies Device 1021
 |           |                               |            \\-00.1  Mellanox Technologies Device 1021
 |           |                               \\-02.0-[05]--
 |           \\-1f.0  Intel Corporation Device 2918
 \\-[10000:e0]-+-00.0  Intel Corporation Device 09ab
              \\-02.0-[e1]----00.0  Samsung Electronics Co Ltd Device a824
`;

/** A topology file of NCCL with a synthetic bridge and comments inside elements. */
export const sampleNcclXml = `<?xml version="1.0"?>
<!-- a comment
over two lines -->
<system version="1">
  <cpu numaid="1" affinity="ffff" arch="x86_64" vendor="AuthenticAMD" familyid="25" modelid="17">
    <pci busid="ffff:ff:01.0" class="0x060400" vendor="0xffff" device="0xffff" link_width="16"> <!-- a switch -->
      <pci busid="0000:10:1c.0" class="0x030200" vendor="0x10de" device="0x20b0" link_width="16"/> <!-- <pci> -->
      <pci busid="0000:10:1b.0" class="0x020000" vendor="0x1d0f" device="0xefa0">
        <nic><net name="efa0" dev="0"/></nic>
      </pci>
    </pci>
  </cpu>
</system>
`;

/** What lspci -v prints for a switch port: flags in one line, no register contents. */
export const sampleShortListing = `02:01.0 PCI bridge: PLX Technology, Inc. Device 8796 (prog-if 00 [Normal decode])
\tFlags: bus master, fast devsel, latency 0, IRQ 33, NUMA node 1, IOMMU group 7
\tMemory at c7100000 (32-bit, non-prefetchable) [size=256K]
\tBus: primary=02, secondary=03, subordinate=03, sec-latency=0
\tMemory behind bridge: 90100000-901fffff [size=1M]
\tCapabilities: [68] Express Downstream Port (Slot+), MSI 00
\tCapabilities: [f24] Access Control Services
\tKernel driver in use: pcieport

`;
