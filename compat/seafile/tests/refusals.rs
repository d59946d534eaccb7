//! What is not built, what is unknown, and bad input.

use cellgate_core::testing::{request, serve};

use super::Client;

#[tokio::test]
async fn unbuilt_is_501_and_unknown_404_in_json() {
    let client = Client::new("alice").await;
    for (method, path, status) in [
        ("GET", "/api/v2.1/share-links/", 501),
        ("POST", "/api2/repos/", 501),
        ("DELETE", "/api2/repos/COMMON/", 501),
        ("PUT", "/api2/repos/COMMON/file/", 501),
        ("GET", "/api/v2.1/via-repo-token/dir/", 501),
        ("GET", "/seafhttp/repo/COMMON/commit/HEAD", 501),
        ("GET", "/api2/nothing/", 404),
        ("GET", "/api/v2.1/nothing/at/all", 404),
        ("GET", "/seafhttp/nothing", 404),
    ] {
        let answer = serve(&client.door, client.request(method, path)).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.json()["error_msg"].is_string(), "{method} {path}");
    }
    let other = serve(&client.door, client.request("PATCH", "/api2/account/info/")).await;
    assert_eq!(other.status, 405);
    assert_eq!(other.json()["detail"], "Method \"PATCH\" not allowed.");
}

#[tokio::test]
async fn bad_paths_and_bodies_are_refused() {
    let client = Client::new("alice").await;
    client.core.put("/common-files/a.txt", "x").await;
    for path in ["/..", "/a/../..", "/%00", "/a%0Ab", "/%FF.%2e/.."] {
        for call in ["api2/repos/COMMON/dir/", "api2/repos/COMMON/file/", "api2/repos/COMMON/file/detail/"] {
            let answer = client.get(&format!("/{call}?p={path}")).await;
            assert_eq!(answer.status, 400, "{call} {path}: {}", answer.text());
            assert!(answer.json()["error_msg"].is_string());
        }
        let made = client.form(&format!("/api2/repos/COMMON/dir/?p={path}"), "operation=mkdir").await;
        assert_eq!(made.status, 400, "{path}");
    }
    let broken =
        client.request("POST", "/api2/repos/COMMON/dir/?p=/x").header("content-type", "application/json");
    assert_eq!(serve(&client.door, broken.body("{\"operation\":")).await.status, 400);
    let unknown = client.request("POST", "/api2/repos/COMMON/dir/?p=/x").header("content-type", "text/xml");
    assert_eq!(serve(&client.door, unknown.body("<x/>")).await.status, 415);
    let huge = client.request("POST", "/api2/repos/COMMON/dir/?p=/x");
    assert_eq!(serve(&client.door, huge.body("x".repeat(5 << 20))).await.status, 413);
    assert_eq!(client.form("/api2/repos/COMMON/dir/?p=/x", "operation=dance").await.status, 400);
    let anonymous = serve(&client.door, request("GET", "/api2/repos/")).await;
    assert_eq!(anonymous.status, 403);
    assert!(client.core.stat("/common-files/x").await.is_err());
}
