//! What lies in `deploy/`, checked without a cluster: schemas, policies, agreement with the code.

mod alerts;
mod gpu;
mod images;
mod licences;
mod local;
mod manifests;
mod policy;
mod references;
mod scaling;
mod schemas;
mod settings;
