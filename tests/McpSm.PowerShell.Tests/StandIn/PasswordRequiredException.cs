// A type of SecretManagement that an extension vault creates, with its documented constructors. PowerShell finds the type by name
// in any loaded assembly.
namespace Microsoft.PowerShell.SecretManagement;

public sealed class PasswordRequiredException(string message) : InvalidOperationException(message);
