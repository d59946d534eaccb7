//! The admin port: `/healthz` (the process answers), `/readyz` (index and datasources answer),
//! `/metrics` (Prometheus). For operators; bind it to an address the public does not reach.

use cellgate_core::Core;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

pub async fn run(socket: TcpListener, core: Core, metrics: PrometheusHandle) {
    loop {
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the admin port cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (core, metrics) = (core.clone(), metrics.clone());
        tokio::spawn(async move {
            let answer = service_fn(move |request: http::Request<Incoming>| {
                let (core, metrics) = (core.clone(), metrics.clone());
                async move {
                    Ok::<_, std::convert::Infallible>(answer(request.uri().path(), &core, &metrics).await)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "admin connection ended");
            }
        });
    }
}

async fn answer(path: &str, core: &Core, metrics: &PrometheusHandle) -> Response<Full<Bytes>> {
    let (status, text) = match path {
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => match core.ready().await {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        },
        "/metrics" => (StatusCode::OK, metrics.render()),
        _ => (StatusCode::NOT_FOUND, "/healthz /readyz /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
