/** CPUs and networks: numbers and flags of `libvirt-host.h` and `libvirt-network.h`. */

/** How a CPU description relates to the host (`virCPUCompareResult`). */
export const CpuCompareResult = {
  ERROR: -1,
  INCOMPATIBLE: 0,
  IDENTICAL: 1,
  SUPERSET: 2,
} as const;

/** Of the CPU baseline. */
export const BaselineCpuFlag = {
  EXPAND_FEATURES: 1,
  MIGRATABLE: 2,
} as const;

/** Of the CPU comparison. */
export const CompareCpuFlag = {
  FAIL_INCOMPATIBLE: 1,
  VALIDATE_XML: 2,
} as const;

/** Of `Networks.list`. */
export const ListNetworksFlag = {
  INACTIVE: 1,
  ACTIVE: 2,
  PERSISTENT: 4,
  TRANSIENT: 8,
  AUTOSTART: 16,
  NO_AUTOSTART: 32,
} as const;
