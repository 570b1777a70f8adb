// The types of that module which an extension vault makes, with the constructors it documents: PowerShell finds them
// by name in whatever assembly is loaded.
namespace Microsoft.PowerShell.SecretManagement;

public sealed class PasswordRequiredException(string message) : InvalidOperationException(message);
