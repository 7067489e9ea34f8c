//! Clusters of network namespaces on a real IPVS kernel.
