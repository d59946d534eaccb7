//! `cellgate serve`: builds the doors over one core and serves until told to stop.

use std::io::Write as _;
use std::time::Duration;

use cellgate_core::Core;
use cellgate_core::http::Protocol;
use cellgate_s3::Settings;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::Config;
use crate::dispatch::Dispatch;
use crate::listener::Listener;
use crate::open::Installation;
use crate::request::Service;
use crate::{admin, tls, welcome};

/// How often the samples of metrics are summed up.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

pub async fn serve(config: Config) -> Result<(), String> {
    let acceptor = tls::acceptor(&config)?;
    let secure = acceptor.is_some();
    // Bound before anything is created: a taken port must not leave a half-made installation.
    let listener = Listener::bind(&config, acceptor)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let address = listener.address().map_err(|error| error.to_string())?;
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| format!("cannot keep metrics: {error}"))?;

    let installation = Installation::open(&config, true).await?;
    let core = installation.core.clone();
    let wanted = config.admin_password.as_ref().map(|password| password.0.clone());
    let first = core.bootstrap(wanted.clone()).await.map_err(|error| error.chain())?;
    let welcome = welcome::text(&core, address, secure, first, wanted.is_some()).await?;

    // Samples wait in memory until they are summed up, whether anybody asks for them or not.
    let samples = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SUM_UP_EVERY).await;
            samples.run_upkeep();
        }
    });
    if let Some(admin_listen) = config.admin_listen {
        let socket = TcpListener::bind(admin_listen)
            .await
            .map_err(|error| format!("cannot listen on {admin_listen}: {error}"))?;
        tokio::spawn(admin::run(socket, core.clone(), metrics));
    }
    let (stop, stopped) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: no new connections, running transfers finish");
        let _ = stop.send(true);
    });

    let mut out = std::io::stdout().lock();
    let _ = out.write_all(welcome.as_bytes()).and_then(|()| out.flush());
    drop(out);
    let s3 =
        Settings { domains: config.s3_domains.clone(), cors: config.s3_cors.clone(), ..Settings::default() };
    let doors = Dispatch::new(doors(&core, s3));
    let service = Service::new(doors, Duration::from_secs(config.body_idle_timeout_s));
    drop(core);
    listener.run(service, stopped).await;
    installation.close().await;
    Ok(())
}

/// Every protocol on the listener. A new one is a line here.
pub fn doors(core: &Core, mut s3: Settings) -> Vec<Box<dyn Protocol>> {
    let mut doors: Vec<Box<dyn Protocol>> = vec![
        Box::new(cellgate_cells::Cells::new(core.clone())),
        Box::new(cellgate_dav::Dav::new(core.clone())),
        Box::new(cellgate_pydio8::Pydio8::new(core.clone())),
        Box::new(cellgate_seafile::Seafile::new(core.clone())),
        Box::new(cellgate_auth::Auth::new()),
    ];
    // No bucket may have the name of what others answer.
    let first = |mount: &&str| mount.split('/').nth(1).unwrap_or_default().to_owned();
    s3.reserved = doors.iter().flat_map(|door| door.mounts()).map(first).collect();
    doors.push(Box::new(cellgate_s3::S3::with(core.clone(), s3)));
    doors
}
